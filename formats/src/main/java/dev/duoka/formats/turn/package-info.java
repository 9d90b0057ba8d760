/**
 * The file by which runs that share a machine take turns ({@link dev.duoka.formats.turn.TurnFile}).
 */
@NullMarked
package dev.duoka.formats.turn;

import org.jspecify.annotations.NullMarked;
