/**
 * The planned step on {@code meta}: the real code with shapes alone, so that what is predicted and
 * what the engine does come from one place. {@link dev.duoka.parallel.dryrun.DryRun} runs all of a
 * {@link dev.duoka.parallel.dryrun.DryRunJob}, or few layers of it and replays the rest.
 */
@NullMarked
package dev.duoka.parallel.dryrun;

import org.jspecify.annotations.NullMarked;
