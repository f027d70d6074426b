"""What belongs to a booking beside slot and money: its service order, files and messages; and questions to the lab."""
