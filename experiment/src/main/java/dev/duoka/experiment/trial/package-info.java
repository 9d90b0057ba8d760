/**
 * A change of a run file, tried beside the file as it is: {@link dev.duoka.experiment.trial.Trial}
 * lets both train, {@link dev.duoka.experiment.trial.Comparison} says what the difference is.
 */
@NullMarked
package dev.duoka.experiment.trial;

import org.jspecify.annotations.NullMarked;
