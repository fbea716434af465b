//! `struct sk_buff` and `struct skb_shared_info`.
