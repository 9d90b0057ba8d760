/**
 * The file in which a rank says what it is about, so that another process can tell a rank that
 * works from one that hangs: {@link dev.duoka.formats.heartbeat.HeartbeatWriter} writes it, {@link
 * dev.duoka.formats.heartbeat.Heartbeat} is what is read.
 */
@NullMarked
package dev.duoka.formats.heartbeat;

import org.jspecify.annotations.NullMarked;
