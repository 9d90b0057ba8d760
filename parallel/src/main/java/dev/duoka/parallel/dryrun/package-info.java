/**
 * The planned step on {@code meta}: the real code with shapes alone, so that what is predicted and
 * what the engine does come from one place.
 */
@NullMarked
package dev.duoka.parallel.dryrun;

import org.jspecify.annotations.NullMarked;
