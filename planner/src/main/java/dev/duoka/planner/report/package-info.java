/**
 * Plans and advice as text, JSON, run files and pages. Read {@code PlanText} and {@code PlanJson}.
 */
package dev.duoka.planner.report;
