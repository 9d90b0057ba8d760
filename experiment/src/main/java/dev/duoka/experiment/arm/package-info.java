/**
 * Runs that are compared: each trains in a process of its own ({@link
 * dev.duoka.experiment.arm.ArmProcess}), together in turns ({@link
 * dev.duoka.experiment.arm.ArmTurns}) or one at a time ({@link
 * dev.duoka.experiment.arm.SwappedArms}).
 */
@NullMarked
package dev.duoka.experiment.arm;

import org.jspecify.annotations.NullMarked;
