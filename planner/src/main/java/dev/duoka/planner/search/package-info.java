/**
 * Finds the layouts worth running on a machine: enumerates all of them, drops what cannot fit or be
 * placed, and says why the best is best. Read {@code Planner} first.
 */
package dev.duoka.planner.search;
