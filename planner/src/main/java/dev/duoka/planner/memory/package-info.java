/**
 * Device memory of the busiest rank, by owner, in closed forms. Read {@code MemoryModel} first;
 * docs/planning.md has the formulas with their sources.
 */
package dev.duoka.planner.memory;
