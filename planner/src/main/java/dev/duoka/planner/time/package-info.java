/**
 * How long a step takes, by cause, in closed forms. Read {@code TimeModel} first; docs/planning.md
 * has the formulas with their sources.
 */
package dev.duoka.planner.time;
