/**
 * A model as the planner counts it: the products of each kind of layer, what they are cut along,
 * and what the backward pass needs. Read {@code ModelShape} first, then {@code LayerShape}.
 */
package dev.duoka.planner.shape;
