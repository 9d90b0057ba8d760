/**
 * From the sources of a run to the sequences it trains on: {@link
 * dev.duoka.data.training.TrainingData} tokenises and splits a corpus, {@link
 * dev.duoka.data.training.TrainingForm} says what documents are trained on as.
 */
package dev.duoka.data.training;
