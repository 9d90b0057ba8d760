/**
 * Reads YAML into records and says what is wrong with it; knows nothing about training.
 *
 * <p>Read {@code Doc} first (how a record describes its fields), then {@code Binder}, which turns
 * the tree of {@code YamlTree} into records.
 */
package dev.duoka.train.config.binding;
