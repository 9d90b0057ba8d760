/**
 * Logs as they come: files, folders, compressed or piped, cut into blocks of whole lines ({@link
 * dev.duoka.diagnosis.log.BlockReader}), and what a line says of its origin beside its text ({@link
 * dev.duoka.diagnosis.log.LogLine}): rank, host and time. Read {@code LogSource} first.
 */
package dev.duoka.diagnosis.log;
