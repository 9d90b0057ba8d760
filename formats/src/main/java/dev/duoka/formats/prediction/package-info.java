/**
 * What was said of a run before its first step, in a file that is written once: {@link
 * dev.duoka.formats.prediction.PredictionFile} writes and reads a {@link
 * dev.duoka.formats.prediction.Prediction}, so that what was measured can be held against it.
 */
@NullMarked
package dev.duoka.formats.prediction;

import org.jspecify.annotations.NullMarked;
