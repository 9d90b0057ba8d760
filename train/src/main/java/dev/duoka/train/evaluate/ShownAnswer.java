package dev.duoka.train.evaluate;

/**
 * What a model wrote beside what was expected.
 *
 * @param prompt what it was given, markers included
 * @param expected what the data has
 * @param answer what it wrote
 * @param ended whether it ended the answer itself
 */
public record ShownAnswer(String prompt, String expected, String answer, boolean ended) {}
