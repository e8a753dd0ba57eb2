//! One database that holds the directory and all drives.

use std::rc::Rc;

use crate::ports::{Databases, Sql};

/// Everything in one place.
pub struct OneDatabase(pub Rc<dyn Sql>);

impl Databases for OneDatabase {
    fn directory(&self) -> Rc<dyn Sql> {
        Rc::clone(&self.0)
    }

    fn drive(&self, _account: i64) -> Rc<dyn Sql> {
        Rc::clone(&self.0)
    }

    fn shards(&self) -> Vec<Rc<dyn Sql>> {
        vec![Rc::clone(&self.0)]
    }
}
