/**
 * Tells people how a run goes, by a command or by posting a message. {@link
 * dev.duoka.operations.notify.Notifier} is all of it.
 */
@NullMarked
package dev.duoka.operations.notify;

import org.jspecify.annotations.NullMarked;
