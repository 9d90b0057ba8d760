/**
 * From tokens to batches: split by document, packing into sequences, shuffle, and the slices that
 * each data-parallel rank reads. Every choice is a pure function of the seed and a {@link
 * dev.duoka.data.batch.DataState}.
 *
 * <p>Read {@link dev.duoka.data.batch.BatchStream} first, then {@link
 * dev.duoka.data.batch.SequenceSet} and {@link dev.duoka.data.batch.TrainingOrder}.
 */
package dev.duoka.data.batch;
