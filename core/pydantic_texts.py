"""What Pydantic finds, said in our own sentences. Every error type of Pydantic has one; a test keeps it so."""

from core.i18n import N_

_GROUPS: dict[str, str] = {
    N_("This is required."): "missing missing_argument missing_keyword_only_argument missing_positional_only_argument",
    N_("This name is not known here."): "extra_forbidden unexpected_keyword_argument unexpected_positional_argument "
    "multiple_argument_values invalid_key no_such_attribute",
    N_("The body is not valid JSON."): "json_invalid json_type needs_python_object",
    N_("It is nested too deeply."): "recursion_loop recursion_depth_exceeded",
    N_("This cannot be changed."): "frozen_field frozen_instance",
    N_("Write an object with names and values here."): "model_type model_attributes_type dataclass_type "
    "dataclass_exact_type named_tuple_type dict_type frozen_dict_type ordered_dict_type counter_type mapping_type",
    N_("Write a list here."): "iterable_type iteration_error list_type deque_type tuple_type set_type frozen_set_type "
    "set_item_not_hashable arguments_type",
    N_("It must be more than %(gt)s."): "greater_than",
    N_("It must be at least %(ge)s."): "greater_than_equal",
    N_("It must be less than %(lt)s."): "less_than",
    N_("It must be at most %(le)s."): "less_than_equal",
    N_("It must be a multiple of %(multiple_of)s."): "multiple_of",
    N_("Give at least %(min_length)s."): "too_short",
    N_("Give at most %(max_length)s."): "too_long",
    N_("Write at least %(min_length)s characters."): "string_too_short bytes_too_short",
    N_("Write at most %(max_length)s characters."): "string_too_long bytes_too_long url_too_long",
    N_("Write text here."): "string_type string_unicode string_not_ascii string_pattern_mismatch bytes_type "
    "bytes_invalid_encoding",
    N_("Choose one of: %(expected)s."): "enum literal_error",
    N_("Write true or false."): "bool_type bool_parsing",
    N_("Write a whole number."): "int_type int_parsing int_from_float",
    N_("The number is too large."): "int_parsing_size decimal_max_digits decimal_whole_digits",
    N_("Write a number."): "float_type float_parsing finite_number decimal_type decimal_parsing decimal_max_places "
    "fraction_type fraction_parsing complex_type complex_str_parsing",
    N_("Write a date as 2026-11-26."): "date_type date_parsing date_from_datetime_parsing date_from_datetime_inexact "
    "date_past date_future",
    N_("Write the time as 2026-11-26T14:00:00+08:00."): "time_type time_parsing datetime_type datetime_parsing "
    "datetime_object_invalid datetime_from_date_parsing datetime_past datetime_future timezone_naive timezone_aware "
    "timezone_offset",
    N_("Write a length of time."): "time_delta_type time_delta_parsing",
    N_("Write an id as a UUID."): "uuid_type uuid_parsing uuid_version",
    N_("Write an address."): "url_type url_parsing url_syntax_violation url_scheme",
    N_("This value cannot be used here."): "get_attribute_error default_factory_not_called none_required value_error "
    "assertion_error missing_sentinel_error ellipsis_error is_instance_of is_subclass_of callable_type "
    "union_tag_invalid union_tag_not_found",
}

PYDANTIC_TEXTS: dict[str, str] = {kind: text for text, kinds in _GROUPS.items() for kind in kinds.split()}
