/**
 * The supervisor of a run, a small JVM of its own: it starts the run's workers, which live on
 * without it, watches them by the files that they write, and starts them again. Read {@link
 * dev.duoka.operations.supervise.Supervisor} first; {@link
 * dev.duoka.operations.supervise.SupervisorStart} is how a command starts one.
 */
@NullMarked
package dev.duoka.operations.supervise;

import org.jspecify.annotations.NullMarked;
