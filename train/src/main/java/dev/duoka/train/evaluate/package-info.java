/**
 * What a model is asked while it is trained: tasks from files, and answers to what is held out.
 * Start with {@link Evaluations}.
 */
@NullMarked
package dev.duoka.train.evaluate;

import org.jspecify.annotations.NullMarked;
