/*
 * The version of the program. The versions of what it writes belong to their rooms:
 * record/lane.h, report/report.h.
 */
#ifndef COMMAND_CORE_VERSION_H
#define COMMAND_CORE_VERSION_H

#include "record/lane.h"
#include "report/report.h"

#define VERSION_TEXT "0.1.0"

#endif
