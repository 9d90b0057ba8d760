package dev.duoka.operations.supervise;

/**
 * That a run diverges.
 *
 * @param began the first step that was out of range
 * @param noticed the last step that was taken until that was certain
 * @param text for people
 */
record Divergence(long began, long noticed, String text) {}
