/**
 * Looks at a run by the files that it writes, in a browser and in a terminal, and changes nothing
 * of it: {@link dev.duoka.operations.watch.WatchServer} serves a page to this machine alone, {@link
 * dev.duoka.operations.watch.TopFrame} fits the same on a screen, both of one {@link
 * dev.duoka.operations.watch.WatchedRun}.
 */
@NullMarked
package dev.duoka.operations.watch;

import org.jspecify.annotations.NullMarked;
