/*
 * The faults of a scenario, while it is walked: begun when they are due, looked at until they show,
 * healed when their time is over, when the run is interrupted, and at its end. Each step of it is
 * put on record; what it means is check/bite.c's to say. Part of the walk, on its clock: due within
 * a tenth of a second, later when a call of the balancer's is under way. Not for other rooms.
 */
#ifndef DIRECTOR_FAULTS_H
#define DIRECTOR_FAULTS_H

#include "director/walk.h"

/* Before anything is started: ERR_INPUT, with the scenario's path. */
int faults_check(const struct scenario *, struct err *);
void faults_open(struct walk *);
void faults_phase(struct walk *, enum phase); /* it begins now; PHASE_BEFORE: nobody calls yet */
void faults_tick(struct walk *);
/* Heals what is left. */
void faults_close(struct walk *);

#endif
