package dev.duoka.train.config;

/**
 * Something wrong with a run file that its text alone does not show.
 *
 * @param field the dotted path of the field that is to blame
 * @param problem what is wrong, without the final period
 * @param remedy what to do; empty for none
 */
public record FieldProblem(String field, String problem, String remedy) {}
