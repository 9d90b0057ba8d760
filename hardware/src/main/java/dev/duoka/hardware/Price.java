package dev.duoka.hardware;

/**
 * What somebody asked for a card.
 *
 * @param usd US dollars: per card to buy, per card and hour to rent
 * @param date when, as {@code yyyy-MM}
 * @param source who asked it
 * @param used whether the card was used
 */
public record Price(double usd, String date, String source, boolean used) {}
