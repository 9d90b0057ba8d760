/**
 * The words for how a run is laid out, shared by run file, planner and engine: plain values. Read
 * {@code Layout} first; it can say more than this version's engine runs.
 */
package dev.duoka.layout;
