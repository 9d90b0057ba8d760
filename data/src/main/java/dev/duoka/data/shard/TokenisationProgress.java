package dev.duoka.data.shard;

/**
 * How far a tokenisation has come.
 *
 * @param documents documents written
 * @param tokens tokens written
 * @param bytes bytes of the sources that these documents took
 * @param totalBytes bytes of all sources; compressed files count as stored, so {@code bytes} may
 *     pass it
 * @param seconds since the start
 * @param done whether this is the last call
 */
public record TokenisationProgress(
    long documents, long tokens, long bytes, long totalBytes, double seconds, boolean done) {}
