"""The pages of the main job: catalogue, bookings, the lab's desk and its reports."""
