package dev.duoka.machine.probe;

/**
 * Traffic of a card, in bytes a second.
 *
 * @param sent by the card
 * @param received by the card
 */
public record LinkRate(double sent, double received) {}
