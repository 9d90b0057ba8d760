/**
 * A run on one card, on two, on four, up to all of its mesh, each rung proven by the one below:
 * {@link dev.duoka.experiment.ladder.Ladder} climbs, {@link dev.duoka.experiment.ladder.Rungs} says
 * which rungs there are, {@link dev.duoka.experiment.ladder.Diagnosis} why one fails.
 */
@NullMarked
package dev.duoka.experiment.ladder;

import org.jspecify.annotations.NullMarked;
