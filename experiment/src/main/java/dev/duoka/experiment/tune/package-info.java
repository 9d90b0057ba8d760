/**
 * The fastest of several settings of a run file, by trying them: {@link
 * dev.duoka.experiment.tune.Tuning} tries, {@link dev.duoka.experiment.tune.Choices} says which
 * there are.
 */
@NullMarked
package dev.duoka.experiment.tune;

import org.jspecify.annotations.NullMarked;
