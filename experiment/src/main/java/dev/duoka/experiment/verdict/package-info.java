/**
 * What can be said of a difference that was measured several times: {@link
 * dev.duoka.experiment.verdict.Interval} first, then {@link
 * dev.duoka.experiment.verdict.Judgement}.
 */
@NullMarked
package dev.duoka.experiment.verdict;

import org.jspecify.annotations.NullMarked;
