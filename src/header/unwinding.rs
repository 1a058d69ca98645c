use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// How many calls of [`unwinding`] this thread is in.
    static CAUGHT: Cell<u32> = const { Cell::new(0) };
}

/// Runs code of somebody else's (a decoder, a model), and returns the message of a panic in it: what a file holds must never end a
/// worker. Nothing is printed of it, since who gets the message says it in words of its own.
pub(crate) fn unwinding<T>(foreign: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A thread that ends has no count any more, and catches nothing.
            if CAUGHT.try_with(Cell::get).unwrap_or(0) == 0 {
                usual(panic);
            }
        }));
    });
    CAUGHT.set(CAUGHT.get() + 1);
    // What the closure has borrowed is scratch and output, and both count as garbage after an error.
    let done = panic::catch_unwind(AssertUnwindSafe(foreign));
    CAUGHT.set(CAUGHT.get() - 1);
    done.map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(unwinding(|| 7), Ok(7));
        assert_eq!(unwinding(|| panic::resume_unwind(Box::new("why"))), Err::<(), _>("why".to_owned()));
        assert_eq!(unwinding(|| panic::resume_unwind(Box::new(3))), Err::<(), _>("no message".to_owned()));
        let nested = unwinding(|| unwinding(|| panic!("{}", "inner")));
        assert_eq!(nested, Ok(Err::<(), _>("inner".to_owned())));
        assert_eq!(CAUGHT.get(), 0, "whatever came of it, later panics are printed again");
    }
}
