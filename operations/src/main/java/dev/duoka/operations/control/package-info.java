/**
 * How commands speak with a run's supervisor: a line of JSON there and one back, over a socket in a
 * folder that only the run's user can enter. Read {@link
 * dev.duoka.operations.control.ControlServer} first.
 */
@NullMarked
package dev.duoka.operations.control;

import org.jspecify.annotations.NullMarked;
