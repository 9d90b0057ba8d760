/**
 * What every module shares. Read {@code DuokaException} and {@code ErrorCode} first: they are how
 * failures are told to users.
 */
package dev.duoka.base;
