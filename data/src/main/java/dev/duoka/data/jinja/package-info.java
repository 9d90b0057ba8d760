/**
 * The part of Jinja2 that published chat templates are written in, run in Java.
 *
 * <p>{@link dev.duoka.data.jinja.Jinja} parses a template once and renders it for any variables.
 * What it writes is what Jinja2 3.1 writes in an immutable sandbox with {@code trim_blocks} and
 * {@code lstrip_blocks}, the way Hugging Face transformers run chat templates. A template sees the
 * {@link dev.duoka.data.jinja.Value}s that it is given and nothing of Java; its size, steps, depth
 * and results are limited ({@link dev.duoka.data.jinja.Limits}).
 *
 * <p>A template's way: {@code Lexer}, {@code StatementParser} and {@code ExpressionParser}, then
 * {@code Renderer} for statements and {@code Evaluator} for expressions; what they have in common
 * during one rendering is {@code Run}.
 */
package dev.duoka.data.jinja;
