package dev.duoka.engine.autograd;

/**
 * The products of one part of a function.
 *
 * @param phase which part: the products of the gradients have the sizes in another order
 */
public record Product(ProductShape shape, FunctionObserver.Phase phase) {}
