"""What pays: programmes, vouchers and the ledger that follows every fen."""
