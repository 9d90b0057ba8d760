/**
 * One pass over the logs that keeps only the lines that rules know: {@link
 * dev.duoka.diagnosis.scan.LogScan} reads blocks and hands them to workers, each of which runs a
 * {@code BlockScan}. What is kept is bounded, whatever the size of the logs. Read {@code LogScan}
 * first.
 */
package dev.duoka.diagnosis.scan;
