demo test check bench help:
	@./dev $@

.PHONY: demo test check bench help
