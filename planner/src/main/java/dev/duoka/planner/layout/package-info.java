/**
 * How the work of a step is spread over ranks and what is kept where. Read {@code Layout} first;
 * {@code EngineSupport} says which layouts this version runs.
 */
package dev.duoka.planner.layout;
