/**
 * From lines to causes: which of the lines that were seen name a cause, which only follow from one,
 * and what to do. Start at {@link dev.duoka.diagnosis.verdict.Diagnosis}.
 */
package dev.duoka.diagnosis.verdict;
