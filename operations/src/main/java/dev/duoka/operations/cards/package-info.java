/**
 * Whether the cards of a run are free, and who has them: {@link
 * dev.duoka.operations.cards.CardGuard}.
 */
@NullMarked
package dev.duoka.operations.cards;

import org.jspecify.annotations.NullMarked;
