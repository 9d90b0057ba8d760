/**
 * What is wrong with a machine: one small class for each check, which looks at a {@link
 * dev.duoka.machine.probe.MachineSnapshot} and says what it saw, what follows and what to type.
 *
 * <p>Read {@link dev.duoka.doctor.check.Doctor} first, then {@link dev.duoka.doctor.check.Check}
 * and the list in {@link dev.duoka.doctor.check.Checks}. A check speaks to {@link
 * dev.duoka.doctor.check.Findings}: findings, and what could not be examined. Versions that fit
 * together are data: {@link dev.duoka.doctor.check.Compatibility}.
 */
package dev.duoka.doctor.check;
