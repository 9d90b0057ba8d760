/**
 * Processes as {@code /proc} shows them: who one is ({@link
 * dev.duoka.operations.process.ProcessIdentity}), and where its threads stand ({@link
 * dev.duoka.operations.process.JavaStacks}).
 */
@NullMarked
package dev.duoka.operations.process;

import org.jspecify.annotations.NullMarked;
