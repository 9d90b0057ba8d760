/**
 * What the documents of a run have in common: copies within and between sources, and held-out text
 * that is trained on.
 *
 * <p>Read {@link dev.duoka.data.overlap.Overlap} first, then {@link
 * dev.duoka.data.overlap.LeakSearch}.
 */
package dev.duoka.data.overlap;
