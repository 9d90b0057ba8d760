/**
 * Whether the cards of a run are free, and who has them: {@link
 * dev.duoka.operations.cards.CardGuard}; whether they are well: {@link
 * dev.duoka.operations.cards.HealthWatch}; and how busy they are: {@link
 * dev.duoka.operations.cards.CardWatch}.
 */
@NullMarked
package dev.duoka.operations.cards;

import org.jspecify.annotations.NullMarked;
