"""The demonstration's invented rules fit together."""

from web.demo.catalogue import HOURS, read_profile


def test_the_longest_slot_of_each_category_fits_into_an_open_stretch() -> None:
    for row in read_profile().values():
        longest_open = max(closes - opens for _days, opens, closes, _rests in HOURS[row["hours"]])

        assert int(row["shortest"]) <= int(row["longest"]), row
        assert row["hours"] == "all" or int(row["longest"]) <= longest_open, row
