# The schema is carried in by the assembler, which tells make nothing.
$(B)/harness/report/core/result_schema.o: reports/result.schema.json
