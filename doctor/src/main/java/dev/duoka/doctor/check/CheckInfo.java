package dev.duoka.doctor.check;

/**
 * What a check is.
 *
 * @param id its name in reports, stable
 * @param title what it is about
 * @param looksAt where the facts are from
 * @param reports when it speaks, and how loudly
 */
public record CheckInfo(String id, String title, String looksAt, String reports) {}
