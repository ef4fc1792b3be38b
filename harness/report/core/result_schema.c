#include "report/report.h"

/* reports/result.schema.json is the one place that knows the schema; the assembler carries it in,
 * as it is. */
__asm__(".pushsection .rodata\n"
	"result_schema_json:\n"
	".incbin \"reports/result.schema.json\"\n"
	".byte 0\n"
	".popsection\n");
extern const char result_schema_json[];

const char *report_schema(void)
{
	return result_schema_json;
}
