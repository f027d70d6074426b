"""Due work of the package."""

from vouchers.issuing import lapse_vouchers

__all__ = ["lapse_vouchers"]
