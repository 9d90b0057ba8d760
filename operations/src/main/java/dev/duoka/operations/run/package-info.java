/**
 * Runs as their folders show them: what one was started with ({@link
 * dev.duoka.operations.run.LaunchSpec}), how it is ({@link dev.duoka.operations.run.RunStatus}),
 * what was done to it ({@link dev.duoka.operations.run.RunRecord}), and where all of a user's are
 * ({@link dev.duoka.operations.run.RunRegistry}).
 */
@NullMarked
package dev.duoka.operations.run;

import org.jspecify.annotations.NullMarked;
